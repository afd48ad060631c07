# The default closes a connection after 20 s between two requests, such as the publications of a client.
persistent_timeout 3600
