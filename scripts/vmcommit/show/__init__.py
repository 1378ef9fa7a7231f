"""Pages, tables and charts, for readers."""
