"""initbench: which weight initializer should this network start from, how sure are we, and why?"""
