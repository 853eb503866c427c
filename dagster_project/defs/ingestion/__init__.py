"""What lands: raw entities, and the landing as one job sees it."""
