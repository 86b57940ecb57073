"""The Catalog page: what is known of each sneaker and shoe type."""
