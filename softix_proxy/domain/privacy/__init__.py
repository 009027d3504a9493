"""What is known of people beside what they gave: technical data, and for how long it is kept."""
