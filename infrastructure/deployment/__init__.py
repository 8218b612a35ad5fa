"""Build the package for AWS Lambda, run it on this machine, deploy it to AWS.

osls (serverless.yml) uses `finish_package.py`, `finish_package.js` and `routes.js`. `make lambda`, `make rehearse` and
`make deploy` run the other modules. None of this is in the package.
"""
