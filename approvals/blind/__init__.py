"""Second looks: a share of what was decided is judged again by somebody who does not know how."""
