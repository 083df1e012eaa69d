"""One module per screen, each with a `blueprint` that `create_app()` registers by itself; templates carry the module's name."""
