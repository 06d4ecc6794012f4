"""What tests share: guards that fail a careless test, and ways to wait for Qt."""
