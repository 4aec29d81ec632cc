"""What the API stands on: callers, bodies, problems, pages, schema. Each app adds its own views."""
