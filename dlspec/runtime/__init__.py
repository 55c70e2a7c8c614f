"""What needs a framework: the only room that imports one, and lazily."""
