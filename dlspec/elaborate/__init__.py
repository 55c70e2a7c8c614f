"""From syntax tree to typed graphs: names resolved, compile-time values computed, shapes inferred."""
