"""Results -> views: what each command shows, before any format is chosen. One module a command."""
