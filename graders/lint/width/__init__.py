"""How wide a check draws: beside the lesson, and by programs that are right in a narrow range only."""
