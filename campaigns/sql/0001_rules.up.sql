-- What the tables themselves enforce, whoever writes to them. Frozen once landed: change by a new file.

-- Hot row: updates stay on their page (HOT), and vacuum comes early.
ALTER TABLE campaigns_destinationstate SET (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE campaigns_callleg SET (fillfactor = 85);
-- Regions of a whole country take some kilobytes: kept as they are, within the row, they are searched without unpacking.
ALTER TABLE campaigns_routingprofile SET (toast_tuple_target = 8160);

-- The calls and legs are found by id within network, campaign and destination; their foreign keys carry no constraint
-- (checking them locks campaign rows on every call), so campaigns that were called must stay.
CREATE FUNCTION campaigns_campaign_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM campaigns_call WHERE campaign_id = OLD.id)
       OR EXISTS (SELECT 1 FROM campaigns_callleg WHERE destination_id = OLD.id) THEN
        RAISE EXCEPTION 'campaign % has calls: archive it instead of deleting it', OLD.id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'campaign_with_calls_stays';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER campaign_keep BEFORE DELETE ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_campaign_keep();

-- A campaign never becomes a bundle and a bundle never something else; it stays in its network; and an overflow or an
-- advertiser is of the same network. A bundle's overflow is not itself a bundle.
CREATE FUNCTION campaigns_campaign_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    other record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.campaign_type = 'Bundled') <> (OLD.campaign_type = 'Bundled') THEN
            RAISE EXCEPTION 'a campaign cannot become a bundle, nor a bundle a campaign'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_type_of_bundle_fixed';
        END IF;
        IF NEW.network_id <> OLD.network_id THEN
            RAISE EXCEPTION 'a campaign cannot move to another network'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_network_fixed';
        END IF;
    END IF;
    IF TG_OP = 'INSERT' OR NEW.advertiser_id <> OLD.advertiser_id THEN
        PERFORM 1 FROM campaigns_advertiser WHERE id = NEW.advertiser_id AND network_id = NEW.network_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the advertiser belongs to another network'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_advertiser_of_network';
        END IF;
    END IF;
    IF NEW.overflow_id IS NOT NULL THEN
        SELECT network_id, campaign_type INTO other FROM campaigns_campaign WHERE id = NEW.overflow_id;
        IF other.network_id <> NEW.network_id THEN
            RAISE EXCEPTION 'the overflow campaign belongs to another network'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_overflow_of_network';
        END IF;
        IF other.campaign_type = 'Bundled' THEN
            RAISE EXCEPTION 'a bundle cannot overflow into a bundle'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'campaign_overflow_not_bundle';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_guard BEFORE INSERT OR UPDATE OF campaign_type, network_id, advertiser_id, overflow_id
    ON campaigns_campaign FOR EACH ROW EXECUTE FUNCTION campaigns_campaign_guard();

-- A destination stands in a Bundled campaign of its own network and is not a bundle itself.
CREATE FUNCTION campaigns_destination_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bundle record;
    destination record;
BEGIN
    SELECT network_id, campaign_type INTO bundle FROM campaigns_campaign WHERE id = NEW.bundle_id;
    SELECT network_id, campaign_type INTO destination FROM campaigns_campaign WHERE id = NEW.destination_id;
    IF bundle.campaign_type <> 'Bundled' THEN
        RAISE EXCEPTION 'only a Bundled campaign has destinations'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bundle_destination_in_bundle';
    END IF;
    IF destination.campaign_type = 'Bundled' THEN
        RAISE EXCEPTION 'a bundle cannot stand in a bundle'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bundle_destination_not_bundle';
    END IF;
    IF bundle.network_id <> destination.network_id THEN
        RAISE EXCEPTION 'the destination belongs to another network'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'bundle_destination_of_network';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER destination_guard BEFORE INSERT OR UPDATE ON campaigns_bundledestination
    FOR EACH ROW EXECUTE FUNCTION campaigns_destination_guard();

-- The concurrent call cap is the destination's: never a bundle's (domain/call-capacity.md, rule 2).
CREATE FUNCTION campaigns_cap_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'concurrent_calls'
       AND (SELECT campaign_type FROM campaigns_campaign WHERE id = NEW.campaign_id) = 'Bundled' THEN
        RAISE EXCEPTION 'a Bundled campaign has no concurrent call cap'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'cap_concurrent_not_on_bundle';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cap_guard BEFORE INSERT OR UPDATE ON campaigns_cap
    FOR EACH ROW EXECUTE FUNCTION campaigns_cap_guard();

-- The second of the local week (Monday 00:00 = 0) that an instant falls on. 1970-01-05 was a Monday.
CREATE FUNCTION campaigns_week_second(at timestamptz, zone text) RETURNS integer LANGUAGE sql STABLE AS $$
    SELECT ((floor(extract(epoch FROM at AT TIME ZONE zone))::bigint - 345600) % 604800)::integer
$$;

-- Seconds of an even clock from a second of the week to the next opening after it; NULL if the hours are empty.
CREATE FUNCTION campaigns_opens_in(hours int4multirange, week_second integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT min(lower(r) - week_second + CASE WHEN lower(r) > week_second THEN 0 ELSE 604800 END) FROM unnest(hours) r
$$;

-- When a campaign that is closed at `at` opens next; NULL if its hours are empty. The clock runs evenly up to the night
-- that it is put forward or back (found by halving), where the campaign may open at once, and evenly after it.
CREATE FUNCTION campaigns_next_opening(hours int4multirange, zone text, at timestamptz)
RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    opening timestamptz := date_trunc('second', at)
        + make_interval(secs => campaigns_opens_in(hours, campaigns_week_second(at, zone)));
    ahead interval := (at AT TIME ZONE zone) - (at AT TIME ZONE 'UTC');
    low timestamptz := at;
    high timestamptz := at + interval '192 hours';
    middle timestamptz;
BEGIN
    IF (high AT TIME ZONE zone) - (high AT TIME ZONE 'UTC') = ahead THEN
        RETURN opening;
    END IF;
    WHILE high - low > interval '1 second' LOOP
        middle := low + (high - low) / 2;
        IF (middle AT TIME ZONE zone) - (middle AT TIME ZONE 'UTC') = ahead THEN
            low := middle;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    high := date_trunc('second', high);
    IF opening < high THEN
        RETURN opening;
    END IF;
    IF hours @> campaigns_week_second(high, zone) THEN
        RETURN high;
    END IF;
    RETURN high + make_interval(secs => campaigns_opens_in(hours, campaigns_week_second(high, zone)));
END $$;

-- The first instant of a local day. Where clocks are put forward over midnight it is the change itself, where they are put
-- back over it the first of the two midnights: every instant lies in exactly one day.
CREATE FUNCTION campaigns_day_start(day date, zone text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN (early AT TIME ZONE zone)::date = day THEN least(early, midnight) ELSE midnight END
    FROM (
        SELECT midnight, midnight + ((day::timestamp - interval '12 hours') - (noon_before AT TIME ZONE zone)) AS early
        FROM (SELECT day::timestamp AT TIME ZONE zone AS midnight,
                     (day::timestamp AT TIME ZONE zone) - interval '12 hours' AS noon_before) m
    ) e
$$;

-- The period of a cap that holds the instant `at`, in the cap's own zone: [since, until). Before the first period it
-- is the span up to its start. Local dates first, instants last: right on the 23- and 25-hour days too.
CREATE FUNCTION campaigns_period(
    reset_period text, starts_at date, zone text, at timestamptz, OUT since timestamptz, OUT until timestamptz
) LANGUAGE plpgsql STABLE AS $$
DECLARE
    today date := (at AT TIME ZONE zone)::date;
    step interval;
    n integer;
    first date;
    next date;
BEGIN
    IF today < starts_at THEN
        since := NULL;
        until := campaigns_day_start(starts_at, zone);
        RETURN;
    END IF;
    IF reset_period = 'Ongoing' THEN
        since := campaigns_day_start(starts_at, zone);
        until := NULL;
        RETURN;
    END IF;
    CASE reset_period
        WHEN 'Daily' THEN
            first := today;
            next := today + 1;
        WHEN 'Weekly' THEN
            first := starts_at + (today - starts_at) / 7 * 7;
            next := first + 7;
        ELSE
            -- Months are counted from the start itself, so that a start on the 31st stays on the last day of short ones.
            n := CASE reset_period WHEN 'Quarterly' THEN 3 ELSE 1 END;
            step := make_interval(months => n);
            n := ((extract(year FROM today) - extract(year FROM starts_at)) * 12
                  + extract(month FROM today) - extract(month FROM starts_at))::integer / n;
            IF (starts_at + step * n)::date > today THEN
                n := n - 1;
            END IF;
            first := (starts_at + step * n)::date;
            next := (starts_at + step * (n + 1))::date;
    END CASE;
    since := campaigns_day_start(first, zone);
    until := campaigns_day_start(next, zone);
END $$;

-- Calls and money of a destination within [since, until), recounted from its legs: the truth behind the counters.
-- A leg counts from its selection and is given back if it ends unanswered (a call in progress counts).
CREATE FUNCTION campaigns_usage(
    destination bigint, since timestamptz, until timestamptz, fee_per_minute numeric,
    OUT calls integer, OUT spend numeric
) LANGUAGE sql STABLE AS $$
    SELECT count(*)::integer,
           coalesce(sum(reserved + CASE WHEN answered_at IS NULL OR ended_at IS NULL THEN 0 ELSE
               round(greatest(extract(epoch FROM ended_at - answered_at), 0) / 60 * fee_per_minute, 4) END), 0)
    FROM campaigns_callleg
    WHERE destination_id = destination
      AND selected_at >= coalesce(since, 'infinity') AND selected_at < coalesce(until, 'infinity')
      AND (answered_at IS NOT NULL OR ended_at IS NULL)
$$;

-- Bring a destination's hot row in line with its caps, its network's switch and the current periods.
-- Called by the triggers below, and when a period has passed.
CREATE FUNCTION campaigns_state_refresh(destination bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    net record;
    cap record;
    state campaigns_destinationstate;
    fresh campaigns_destinationstate;
BEGIN
    SELECT n.concurrent_call_caps_enabled AS switched_on, n.call_fee_per_minute AS fee INTO net
    FROM campaigns_campaign c JOIN accounts_network n ON n.id = c.network_id
    WHERE c.id = destination AND c.campaign_type <> 'Bundled';
    IF NOT FOUND THEN
        RETURN;
    END IF;
    INSERT INTO campaigns_destinationstate (campaign_id, live, calls_used, spend_used, fee_per_minute)
    VALUES (destination, 0, 0, 0, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO state FROM campaigns_destinationstate WHERE campaign_id = destination FOR NO KEY UPDATE;
    fresh := state;
    fresh.live_cap := NULL;
    fresh.calls_cap := NULL;
    fresh.calls_since := NULL;
    fresh.calls_until := NULL;
    fresh.spend_cap := NULL;
    fresh.spend_since := NULL;
    fresh.spend_until := NULL;
    fresh.fee_per_minute := 0;
    FOR cap IN SELECT * FROM campaigns_cap WHERE campaign_id = destination LOOP
        IF cap.kind = 'concurrent_calls' THEN
            fresh.live_cap := CASE WHEN net.switched_on THEN cap.amount END;
        ELSIF cap.kind = 'periodic_calls' THEN
            SELECT p.since, p.until INTO fresh.calls_since, fresh.calls_until
            FROM campaigns_period(cap.reset_period, cap.starts_at, cap.time_zone, now()) p;
            -- Before its first day a cap is not in force.
            fresh.calls_cap := CASE WHEN fresh.calls_since IS NOT NULL THEN cap.amount END;
        ELSE
            SELECT p.since, p.until INTO fresh.spend_since, fresh.spend_until
            FROM campaigns_period(cap.reset_period, cap.starts_at, cap.time_zone, now()) p;
            fresh.spend_cap := CASE WHEN fresh.spend_since IS NOT NULL THEN cap.amount END;
            fresh.fee_per_minute := CASE WHEN cap.include_call_fees THEN net.fee ELSE 0 END;
        END IF;
    END LOOP;
    IF fresh.calls_since IS DISTINCT FROM state.calls_since THEN
        SELECT u.calls INTO fresh.calls_used
        FROM campaigns_usage(destination, fresh.calls_since, fresh.calls_until, 0) u;
    END IF;
    IF fresh.spend_since IS DISTINCT FROM state.spend_since OR fresh.fee_per_minute <> state.fee_per_minute THEN
        SELECT u.spend INTO fresh.spend_used
        FROM campaigns_usage(destination, fresh.spend_since, fresh.spend_until, fresh.fee_per_minute) u;
    END IF;
    UPDATE campaigns_destinationstate
    SET live_cap = fresh.live_cap,
        calls_used = fresh.calls_used, calls_cap = fresh.calls_cap,
        calls_since = fresh.calls_since, calls_until = fresh.calls_until,
        spend_used = fresh.spend_used, spend_cap = fresh.spend_cap,
        spend_since = fresh.spend_since, spend_until = fresh.spend_until,
        fee_per_minute = fresh.fee_per_minute
    WHERE campaign_id = destination;
END $$;

CREATE FUNCTION campaigns_state_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM campaigns_state_refresh(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_state AFTER INSERT ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_state_of_campaign();

CREATE FUNCTION campaigns_state_of_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM campaigns_state_refresh(NEW.campaign_id);
    ELSIF EXISTS (SELECT 1 FROM campaigns_campaign WHERE id = OLD.campaign_id) THEN
        PERFORM campaigns_state_refresh(OLD.campaign_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER cap_state AFTER INSERT OR UPDATE OR DELETE ON campaigns_cap
    FOR EACH ROW EXECUTE FUNCTION campaigns_state_of_cap();

-- The network's switch and call fee reach every destination at once; sorted, so that two such changes cannot deadlock.
CREATE FUNCTION campaigns_state_of_network() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM campaigns_state_refresh(c.id)
    FROM (SELECT DISTINCT c.id FROM campaigns_campaign c JOIN campaigns_cap p ON p.campaign_id = c.id
          WHERE c.network_id = NEW.id ORDER BY c.id) c;
    RETURN NULL;
END $$;
CREATE TRIGGER network_state AFTER UPDATE OF concurrent_call_caps_enabled, call_fee_per_minute ON accounts_network
    FOR EACH ROW EXECUTE FUNCTION campaigns_state_of_network();

-- The status reaches routing in the same transaction, whoever changes it.
CREATE FUNCTION campaigns_profile_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaigns_routingprofile
    SET routable = NEW.status IN ('Live', 'LivePending'), status = NEW.status, time_zone = NEW.time_zone, payout = NEW.payout
    WHERE campaign_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER campaign_profile AFTER UPDATE OF status, time_zone, payout ON campaigns_campaign
    FOR EACH ROW EXECUTE FUNCTION campaigns_profile_of_campaign();
