"""The pages of second factors, passkeys and sign-in at an OpenID provider."""
