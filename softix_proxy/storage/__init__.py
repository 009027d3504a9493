"""All the SQL. One module per noun, one engine per database."""
