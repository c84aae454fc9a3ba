"""Many submissions: workers on this machine or on a Dask cluster."""

from tlwidgets.moved import renamed_in

__getattr__ = renamed_in(__name__)
