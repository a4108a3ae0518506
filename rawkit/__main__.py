"""`python -m rawkit` is `rawkit`."""

from rawkit.cli import main

main()
