ALTER TABLE keys ADD COLUMN earlier_models TEXT NOT NULL DEFAULT '[]';

-- A pattern is worked out once, however many keys have it. `glob` is the same pattern as SQLite spells it.
CREATE TABLE rights_patterns AS
SELECT DISTINCT value AS pattern, replace(value, '[!', '[^') AS glob, instr(value, '/') AS slash
FROM keys, json_each(keys.models);

-- Names as clients write them: the model's own, and with its provider. `foreign_head`: the own name begins with the name
-- of another provider, so that it was taken for a model there.
CREATE TABLE rights_names AS
SELECT m.name AS own, p.name AS provider, p.name || '/' || m.name AS whole,
  EXISTS (
    SELECT 1 FROM providers AS o
    WHERE o.status <> 'removed' AND o.id <> p.id AND m.name GLOB o.name || '/*'
  ) AS foreign_head
FROM models AS m JOIN providers AS p ON p.id = m.provider_id
WHERE p.status <> 'removed';

CREATE TABLE rights_meanings AS
WITH RECURSIVE places (place) AS (SELECT 1 UNION ALL SELECT place + 1 FROM places WHERE place < 128)
-- A slash, and no provider before it: a model's own name, at any provider.
SELECT pattern, '*/' || pattern AS meaning FROM rights_patterns
WHERE slash > 0
  AND NOT EXISTS (
    SELECT 1 FROM providers WHERE status <> 'removed' AND name GLOB substr(glob, 1, instr(glob, '/') - 1)
  )
  AND EXISTS (SELECT 1 FROM rights_names WHERE own GLOB glob)
UNION ALL
-- No slash, and only providers' names fit: the same pattern, divided where a star stood for the slash.
SELECT pattern, substr(pattern, 1, place) || '/' || substr(pattern, place) FROM rights_patterns, places
WHERE slash = 0
  AND substr(pattern, place, 1) = '*'
  AND NOT EXISTS (SELECT 1 FROM rights_names WHERE own GLOB glob AND NOT foreign_head)
  AND NOT EXISTS (SELECT 1 FROM routes WHERE status <> 'removed' AND name GLOB glob)
  AND EXISTS (
    SELECT 1 FROM rights_names
    WHERE whole GLOB glob AND NOT own GLOB glob
      AND provider GLOB replace(substr(pattern, 1, place), '[!', '[^')
      AND own GLOB replace(substr(pattern, place), '[!', '[^')
  );

UPDATE keys SET
  earlier_models = models,
  models = (
    SELECT json_group_array(meaning) FROM (
      SELECT meaning FROM (
        SELECT p.key AS place, coalesce(r.meaning, p.value) AS meaning
        FROM json_each(keys.models) AS p LEFT JOIN rights_meanings AS r ON r.pattern = p.value
      ) GROUP BY meaning ORDER BY min(place)
    )
  )
WHERE models <> '[]';

DROP TABLE rights_meanings;
DROP TABLE rights_names;
DROP TABLE rights_patterns;
