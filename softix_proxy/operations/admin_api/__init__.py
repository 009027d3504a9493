"""What the admin API needs beside the operations of the commands: who may come in."""
