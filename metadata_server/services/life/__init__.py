"""What runs: sessions, attachments, reports, and the verdict about them."""
