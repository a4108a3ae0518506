"""rawkit: packets by hand, onto the wire, and back."""
