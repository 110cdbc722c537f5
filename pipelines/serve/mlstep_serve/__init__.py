"""The prediction service: answers with the champion, always, and keeps a record of every answer."""
