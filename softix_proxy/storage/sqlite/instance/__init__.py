"""The named values of the instance, and the inspection of the file from outside."""
