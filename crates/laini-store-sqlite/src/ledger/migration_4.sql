-- The deliveries of an app, and of its addresses, in their order.
CREATE INDEX delivery_of_app ON delivery (app, position, tail);
