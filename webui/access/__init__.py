"""Who a request is made for: log-in by token, what the role allows, and the pages of tokens."""
