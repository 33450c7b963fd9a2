"""The venues' private protocols, one package each: codecs as ``exec.gateways.codec`` wants them."""
