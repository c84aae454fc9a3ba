"""The processes of grading: a zygote, its fork servers, and the worker that supervises them."""
