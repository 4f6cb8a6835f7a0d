"""The demo: two networks as a performance-marketing call network really has them. `load.demo_load` makes them."""
