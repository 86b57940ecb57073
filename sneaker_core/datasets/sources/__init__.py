"""Where photos come in from: a folder or an archive, how its files are laid out, and the import itself."""
