//! Where a request came from. What a proxy says of it is taken only from proxies that are named as trusted: anybody can write a header.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use ipnet::IpNet;

/// Proxies whose `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Reads addresses (`10.0.0.7`) and networks (`10.0.0.0/8`). Fails with the one that is neither.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<TrustedProxies, String> {
        let one = |text: &str| {
            let text = text.trim();
            let network = text.parse::<IpNet>().ok();
            network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).ok_or_else(|| text.to_owned())
        };
        texts.into_iter().map(one).collect::<Result<Vec<_>, _>>().map(|it| TrustedProxies(it.into()))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|it| it.contains(&address.to_canonical()))
    }
}

/// The address of whoever asks.
pub(crate) fn client_address(request: &Request, proxies: &TrustedProxies) -> Option<IpAddr> {
    let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    let told = request.headers().get_all("x-forwarded-for").iter().filter_map(|it| it.to_str().ok());
    Some(behind(*peer, told, proxies))
}

/// The last address of the chain that is not a trusted proxy: everything before it is hearsay.
fn behind<'t>(peer: SocketAddr, told: impl Iterator<Item = &'t str>, proxies: &TrustedProxies) -> IpAddr {
    let mut client = peer.ip().to_canonical();
    let chain: Vec<&str> = told.flat_map(|it| it.split(',')).map(str::trim).collect();
    for hop in chain.into_iter().rev() {
        if !proxies.trusts(client) {
            break;
        }
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, told: &[&str], proxies: &[&str]) -> String {
        let proxies = TrustedProxies::parse(proxies.iter().copied()).unwrap();
        behind(format!("{peer}:1").parse().unwrap(), told.iter().copied(), &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(client("192.0.2.1", &["203.0.113.9"], &[]), "192.0.2.1");
        assert_eq!(client("10.0.0.7", &["203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client("10.0.0.7", &["203.0.113.9"], &["10.0.0.8"]), "10.0.0.7");
    }

    #[test]
    fn what_a_client_made_up_is_not_taken_for_its_address() {
        let told = ["1.1.1.1, 203.0.113.9", "10.0.0.9"];
        assert_eq!(client("10.0.0.7", &told, &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(client("10.0.0.7", &["nonsense"], &["10.0.0.0/8"]), "10.0.0.7");
    }

    #[test]
    fn what_is_no_network_is_told() {
        assert_eq!(TrustedProxies::parse(["10.0.0.0/8", "here"]).unwrap_err(), "here");
    }
}
