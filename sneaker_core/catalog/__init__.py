"""What is known of each sneaker and each type of shoe."""
