"""A comparison -> one HTML file that opens anywhere: texts, tables, charts, data and scripts.

The page asks for nothing beyond itself, and its content security policy forbids that it could.
Every text that a user may have written is escaped, and reaches the scripts only as data.
"""
