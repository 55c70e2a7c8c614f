"""The intermediate representation: typed graphs of operators, framework-free."""
