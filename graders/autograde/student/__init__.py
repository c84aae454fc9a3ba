"""The student's side: runs their code and answers the checker. It never imports a check."""
