"""Messages to people inside the system (站内消息)."""
