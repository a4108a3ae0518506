"""Many packets at once, as columns of NumPy arrays. The only floor that imports NumPy."""

import os

# Nothing is multiplied here, and threads that OpenBLAS starts when NumPy is imported would keep root's privileges.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from rawkit.columnar.run import Run, read_run  # behind what has to come first

__all__ = ["Run", "read_run"]
