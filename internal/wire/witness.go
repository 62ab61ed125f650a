package wire

// Witness records what happened beside the wire, such as a command of the operator: it gets a serial of its own, and the
// secrets of its answer are found and masked, as those of every exchange.
func (w *Wire) Witness(x Exchange) Exchange {
	x.Serial = w.serial.Add(1)
	x.Discover(w.config.Keeper)
	w.Record(x, "")
	return x
}
