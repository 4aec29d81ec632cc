"""The ground: settings, people, workspaces, the books, the servers."""
