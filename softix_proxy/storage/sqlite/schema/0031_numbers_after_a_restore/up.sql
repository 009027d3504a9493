-- A number of a document that was given out after the backup that was restored is not given out again. The instance
-- has the last one of each series under the name `given_out:` and the series.

DROP TRIGGER bills_no_gap;
CREATE TRIGGER bills_no_gap BEFORE INSERT ON bills
WHEN NEW.sequence <> 1 + max(
  coalesce((SELECT max(sequence) FROM bills WHERE series = NEW.series), 0),
  coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM instance WHERE name = 'given_out:' || NEW.series), 0)
)
BEGIN SELECT raise(ABORT, 'numbers have no gaps'); END;
