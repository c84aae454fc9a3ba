"""What passes between a student's process and the checker: frames, requests, mirrored modules."""
