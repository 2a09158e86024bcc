"""Changes out and in over HTTP, after the Standard Webhooks specification (https://www.standardwebhooks.com)."""
