"""How Django writes times where its own way is not the desk's: settings.FORMAT_MODULE_PATH."""
