"""The console: the web pages of operators, dealers and supervisors."""
