"""All the SQL. There is one module per noun, and one engine per database."""
