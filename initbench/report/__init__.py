"""Rows -> what people and programs read: tables, Markdown, CSV, JSON. Nothing is printed."""
