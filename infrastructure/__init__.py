"""What is deployed to AWS, and how."""
