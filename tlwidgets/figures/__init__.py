"""What notebooks draw in static figures: matplotlib, with words for those who do not see them."""
