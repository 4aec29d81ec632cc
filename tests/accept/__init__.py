"""What an issue promised, as commands: each prints its figure and exits 1 when it is missed."""
