ALTER TABLE batches ADD COLUMN input_file TEXT; -- what the client named, if the batch was made of a copy of it
