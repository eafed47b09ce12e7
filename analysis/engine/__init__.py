"""How near the packed engine comes to what the machine can do, and to what a user would run instead."""
