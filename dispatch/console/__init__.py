"""The console: the pages in which operators, dealers and supervisors do their shift."""
