ALTER TABLE usage ADD COLUMN cached_audio_input_tokens INTEGER;
ALTER TABLE usage ADD COLUMN cached_image_input_tokens INTEGER;
ALTER TABLE usage ADD COLUMN search_units INTEGER;
ALTER TABLE usage ADD COLUMN characters INTEGER;
